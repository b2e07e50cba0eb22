import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { boot } from '../machine/index.ts';
import { openBuiltInSpec } from '../node/index.ts';
import { describeReport } from './report-text.ts';
import { parseRunOptions } from './run-options.ts';
import { jsonOutput, type RunEvent, textOutput } from './run-output.ts';
import { runSession } from './run-session.ts';

const path = 'memory-bugs.ko';
const bytes = readFileSync(new URL('../../../../modules/memory-bugs/memory-bugs.ko', import.meta.url));
const spec = openBuiltInSpec();

/** What `ringside run memory-bugs.ko bug=BUG` prints, without a process of its own. */
async function run(bug: string, form: 'text' | 'json') {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const streams = { stdout: stream('stdout'), stderr: stream('stderr') };
  const output =
    form === 'json' ? jsonOutput(streams) : textOutput(streams, { colour: false, explain: false });
  const machine = await boot({
    spec,
    memoryMb: 64,
    onLog: (record) => output.log(record),
    onReport: (report) => output.event(describeReport(machine, report)),
  });
  const status = await runSession(machine, output, {
    modules: [{ path, bytes, params: `bug=${bug}` }],
    forNs: undefined,
    lingerNs: 0,
    keep: false,
    signal: new AbortController().signal,
  });
  return { ...written, status };
}

test('a memory error is printed as it stands, apart from the log, and how often it came at the end', async () => {
  const { stdout, stderr, status } = await run('again_and_again', 'text');
  expect(stderr.split('\n').slice(0, 3)).toEqual([
    '='.repeat(66),
    expect.stringMatching(
      /^BUG: KASAN: slab-out-of-bounds in again_and_again\+0x\w+\/0x\w+ \[memory_bugs\]$/,
    ),
    expect.stringMatching(/^Write of size 1 at addr ffff8880\w{8} by task insmod\/2$/),
  ]);
  expect(stderr).toMatch(
    /^ringside: slab-out-of-bounds in again_and_again\+\S+ \[memory_bugs\] was seen 1000 times in all\n$/m,
  );
  expect(stdout).not.toContain('KASAN');
  expect(status).toBe(2);
});

test('as JSON it has kind, access, task, stack with source and region with both histories', async () => {
  const { stdout } = await run('use_after_free', 'json');
  const events = stdout
    .trim()
    .split('\n')
    .map((line): RunEvent => JSON.parse(line));
  const event = events.find((each) => each.type === 'report');
  expect(event?.kind).toBe('poison');
  expect(event?.message).toMatch(/^=+\nBUG: KASAN: use-after-free in use_after_free\+/);
  const inItem = { function: 'make_item', module: 'memory_bugs', file: 'modules/memory-bugs/memory-bugs.c' };
  expect(event?.memory).toMatchObject({
    bug: 'use-after-free',
    access: 'write',
    size: 4,
    address: expect.stringMatching(/^0xffff8880\w{8}$/),
    task: { comm: 'insmod', pid: 2 },
    place: { function: 'use_after_free', module: 'memory_bugs', line: expect.any(Number) },
    region: {
      kind: 'slab',
      cache: 'kmalloc-64',
      cacheSize: 64,
      size: 40,
      offset: 8,
      allocated: {
        comm: 'insmod',
        pid: 2,
        stack: expect.arrayContaining([
          expect.objectContaining({ function: 'kmalloc', inline: true }),
          expect.objectContaining(inItem),
        ]),
      },
      freed: { stack: expect.arrayContaining([expect.objectContaining({ function: 'drop_item' })]) },
    },
  });
});

test('--panic-on-report is an option of run', () => {
  expect(parseRunOptions(['--panic-on-report', 'a.ko'])).toMatchObject({ panicOnReport: true });
  expect(parseRunOptions(['a.ko'])).toMatchObject({ panicOnReport: false });
});
