import { expect, test } from 'vitest';
import { asAddr } from '../bytes/index.ts';
import { openBuiltInSpec } from '../node/index.ts';
import { boot } from './index.ts';

test('a task has nice 0 in every field that modules read it from', async () => {
  const { kernel } = await boot({ spec: openBuiltInSpec() });
  const struct = kernel.spec.types.struct('task_struct');
  const { addr } = kernel.sched.current;
  expect(
    ['prio', 'static_prio', 'normal_prio'].map((field) =>
      kernel.memory.readU32(asAddr(addr + struct.offsetOf(field))),
    ),
  ).toEqual([120, 120, 120]);
});
