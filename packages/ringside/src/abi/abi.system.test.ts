import { expect, test } from 'vitest';
import { checkAbi, installedHeaders } from '../../../../scripts/abi-check.ts';

test('every constant has the value that the kernel headers give it, in every flavour installed', () => {
  const packages = installedHeaders();
  expect(packages, 'install linux-headers-amd64, gcc and make').not.toEqual([]);
  for (const headers of packages) {
    const { checked, differences } = checkAbi(headers);
    expect(differences).toEqual([]);
    expect(checked).toBeGreaterThan(1000);
  }
}, 120_000);
