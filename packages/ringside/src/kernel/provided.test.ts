import { expect, test } from 'vitest';
import { asAddr } from '../bytes/index.ts';
import { boot } from '../machine/index.ts';
import { openBuiltInSpec } from '../node/index.ts';

test('a member of task_struct that nobody fills stops by its name', async () => {
  const { kernel } = await boot({ spec: openBuiltInSpec() });
  const layout = kernel.spec.types.struct('task_struct');
  const task = kernel.fork.createProcess('cat');
  const at = (member: string) => asAddr(task.addr + layout.offsetOf(member));
  expect(kernel.missingVariable(at('mm'))?.message).toContain('task_struct.mm');
  expect(kernel.missingVariable(at('signal'))?.message).toContain('task_struct.signal');
  expect(kernel.missingVariable(at('pid'))).toBeUndefined();
});

test("a kernel thread's mm is NULL and may be read", async () => {
  const { kernel } = await boot({ spec: openBuiltInSpec() });
  const layout = kernel.spec.types.struct('task_struct');
  const task = kernel.fork.createKthread('kthread');
  const mm = asAddr(task.addr + layout.offsetOf('mm'));
  expect(kernel.missingVariable(mm)).toBeUndefined();
  expect(kernel.memory.readPtr(mm)).toBe(0);
});

test('every task is in the namespaces of the kernel', async () => {
  const { kernel } = await boot({ spec: openBuiltInSpec() });
  const { memory, spec } = kernel;
  const task = kernel.fork.createProcess('cat');
  const nsproxy = memory.readPtr(asAddr(task.addr + spec.types.struct('task_struct').offsetOf('nsproxy')));
  const uts = memory.readPtr(asAddr(nsproxy + spec.types.struct('nsproxy').offsetOf('uts_ns')));
  const release = asAddr(uts + spec.types.struct('uts_namespace').offsetOf('name.release'));
  expect(memory.readString(release)).toBe(spec.release);
});
