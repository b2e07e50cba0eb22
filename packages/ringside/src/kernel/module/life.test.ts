import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../abi/index.ts';
import { deleteModule } from './delete.ts';
import { finitModule } from './load.ts';
import { exampleModule, Loader } from './loader.fixture.ts';
import { linkedIn, procModules } from './procfs.ts';
import { modulePut, moduleRefcount, O_TRUNC, tryModuleGet } from './refcount.ts';

function load(loader: Loader, name: string, params = ''): number {
  return loader.run(finitModule(loader.modules, exampleModule(name), params));
}

describe('modules that depend on each other', () => {
  it('count their users, and go only after them', () => {
    const loader = new Loader();
    const { modules } = loader;
    expect(load(loader, 'exports/importer')).toBe(-ERRNO.ENOENT);
    expect(load(loader, 'exports/exporter')).toBe(0);
    expect(load(loader, 'exports/importer')).toBe(0);
    expect(
      procModules(modules)
        .split('\n')
        .map((line) => line.split(' ').slice(0, 5).join(' ')),
    ).toEqual(['importer 16384 0 - Live', 'exporter 16384 1 importer, Live', '']);
    expect(loader.run(deleteModule(modules, 'exporter'))).toBe(-ERRNO.EWOULDBLOCK);
    expect(loader.run(deleteModule(modules, 'importer'))).toBe(0);
    expect(linkedIn(modules)).toBe('Modules linked in: exporter(OE) [last unloaded: importer(OE)]');
    expect(loader.run(deleteModule(modules, 'exporter'))).toBe(0);
    expect(loader.areas.size + loader.objects.size).toBe(0);
  });

  it('must import the namespace of a symbol', () => {
    const loader = new Loader();
    load(loader, 'exports/exporter');
    expect(load(loader, 'exports/importer-ns')).toBe(0);
    expect(load(loader, 'exports/importer-no-ns')).toBe(-ERRNO.EINVAL);
    expect(loader.log.slice(-2).join('\n')).toMatch(
      /module uses symbol \(\w+\) from namespace \w+, but does not import it\.\n.*Unknown symbol/,
    );
  });
});

describe('a module in use', () => {
  it('cannot be removed, unless by force', () => {
    const loader = new Loader();
    const { modules } = loader;
    load(loader, 'hello/hello');
    const hello = modules.find('hello')!;
    expect(tryModuleGet(hello)).toBe(true);
    expect(moduleRefcount(hello)).toBe(1);
    expect(loader.run(deleteModule(modules, 'hello'))).toBe(-ERRNO.EWOULDBLOCK);
    expect(modulePut(hello)).toBe(true);
    tryModuleGet(hello);
    expect(loader.run(deleteModule(modules, 'hello', O_TRUNC))).toBe(0);
    expect(loader.taints & 8).toBe(8);
  });

  it('without an exit function is permanent', () => {
    const loader = new Loader();
    load(loader, 'init-results/no-exit');
    expect(procModules(loader.modules)).toContain('[permanent],');
    expect(loader.run(deleteModule(loader.modules, 'no_exit'))).toBe(-ERRNO.EBUSY);
  });
});

describe('init', () => {
  it('that fails takes the module away and gives its error', () => {
    const loader = new Loader();
    loader.onCall = () => -ERRNO.ENODEV;
    expect(load(loader, 'hello/hello')).toBe(-ERRNO.ENODEV);
    expect(procModules(loader.modules)).toBe('');
    expect(loader.areas.size + loader.objects.size).toBe(0);
  });

  it('that returns a positive number is complained about, and the module stays', () => {
    const loader = new Loader();
    loader.onCall = () => 5;
    expect(load(loader, 'hello/hello')).toBe(0);
    expect(loader.log.slice(-2)).toEqual([
      "<4>do_init_module: 'hello'->init suspiciously returned 5, it should follow 0/-E convention\ndo_init_module: loading module anyway...",
      'dump_stack',
    ]);
  });

  it('runs while the module is coming; its memory is gone afterwards', () => {
    const loader = new Loader();
    const { modules, memory } = loader;
    loader.onCall = (addr) => {
      expect(modules.find('hello')!.state).toBe('coming');
      expect(modules.lookup(addr)).toMatchObject({ name: 'hello_init', offset: 0 });
      expect(memory.faultReason(addr, 1, 'execute')).toBeUndefined();
      expect(memory.faultReason(addr, 1, 'write')).toBe('protection');
      return 0;
    };
    load(loader, 'hello/hello');
    const [init] = loader.calls;
    expect(memory.faultReason(init!, 1, 'execute')).toBe('not-mapped');
    expect(modules.formerAt(init!)?.symbolAt(init!)).toMatchObject({ name: 'hello_init', offset: 0 });
  });

  it('cannot run twice at a time: the name is taken', () => {
    const loader = new Loader();
    load(loader, 'hello/hello');
    expect(load(loader, 'hello/hello')).toBe(-ERRNO.EEXIST);
    expect(loader.areas.size).toBe(1);
  });

  it('of a blacklisted module never runs', () => {
    const loader = new Loader({ bootOptions: { module_blacklist: 'other,hello' } });
    expect(load(loader, 'hello/hello')).toBe(-ERRNO.EPERM);
    expect(loader.log).toEqual(['<3>Module hello is blacklisted']);
  });

  it('of any unsigned module never runs when signatures are enforced', () => {
    const loader = new Loader({ bootOptions: { 'module.sig_enforce': '1' } });
    expect(load(loader, 'hello/hello')).toBe(-ERRNO.EKEYREJECTED);
    expect(loader.log).toEqual(['<5>Loading of unsigned module is rejected']);
  });
});

describe('a module that hides itself', () => {
  it('is not listed, but its addresses are still its own', () => {
    const loader = new Loader();
    const { modules, memory } = loader;
    load(loader, 'hello/hello');
    const hello = modules.find('hello')!;
    const entry = hello.at('list');
    const next = memory.readPtr(entry);
    memory.writePtr(modules.head, next);
    memory.writePtr(hello.at('list', 8), entry);
    expect(procModules(modules)).toBe('');
    expect(modules.addressOf(hello.exit)).toBe(hello);
  });
});
