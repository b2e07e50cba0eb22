import { describe, expect, it } from 'vitest';
import { deleteModule } from './delete.ts';
import { finitModule } from './load.ts';
import { exampleModule, Loader } from './loader.fixture.ts';
import { procModules } from './procfs.ts';

describe('loading an example module', () => {
  it('says what the real kernel says, lists it, and leaves nothing behind when it goes', () => {
    const loader = new Loader();
    const { modules } = loader;
    expect(loader.run(finitModule(modules, exampleModule('hello/hello'), 'name=Bob'))).toBe(0);
    expect(loader.log).toEqual([
      '<4>hello: loading out-of-tree module taints kernel.',
      '<5>hello: module verification failed: signature and/or required key missing - tainting kernel',
      "<4>hello: unknown parameter 'name' ignored",
    ]);
    expect(procModules(modules)).toBe('hello 16384 0 - Live 0xffffffffc0000000 (OE)\n');
    const hello = modules.find('hello')!;
    expect(modules.lookup(loader.calls[0]!)).toBeUndefined();
    expect(modules.lookup(hello.exit)).toMatchObject({ name: 'hello_exit', offset: 0 });
    expect(loader.run(deleteModule(modules, 'hello'))).toBe(0);
    expect(procModules(modules)).toBe('');
    expect(loader.areas.size).toBe(0);
    expect(loader.objects.size).toBe(0);
  });
});
