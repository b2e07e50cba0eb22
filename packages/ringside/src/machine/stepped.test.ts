import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Kernel } from '../kernel/index.ts';
import { builtInSpecPath, openSpecFile } from '../node/index.ts';
import { createCpu } from '../translate/index.ts';
import { Machine } from './machine.ts';

const spec = openSpecFile(builtInSpecPath());

function machine(engine: { readonly stepped?: boolean; readonly checked?: boolean }): Machine {
  return new Machine(
    new Kernel({
      spec,
      createCpu: (options) => createCpu({ ...options, ...engine }),
      seed: 1n,
      commandLine: new Map(),
      ramBytes: 64 << 20,
      quarantineBytes: 1 << 20,
      checked: true,
    }),
  );
}

/** Loads, lets a little time pass and unloads; the log with its time stamps, and the count of instructions. */
async function life(of: Machine, name: string): Promise<readonly unknown[]> {
  const file = readFileSync(new URL(`../../../../modules/${name}.ko`, import.meta.url));
  const loaded = await of.insmod(file);
  await of.advance({ forNs: 1e9 });
  const gone = await of.rmmod(name.split('/')[1]!.replaceAll('-', '_'));
  return [loaded, gone, of.kernel.cpu.retired, of.nowNs, ...of.log.map((r) => `${r.timeNs} ${r.text}`)];
}

test.each(['hello/hello', 'dump-stack/dump-stack', 'printf/printf', 'params/params'])(
  'the life of %s is the same, times and counts too, translated whole, without checks and stepped',
  async (name) => {
    const whole = await life(machine({}), name);
    expect(whole.length).toBeGreaterThan(4);
    expect(await life(machine({ stepped: true }), name)).toEqual(whole);
    expect(await life(machine({ checked: false }), name)).toEqual(whole);
  },
);
