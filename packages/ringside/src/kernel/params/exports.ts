import { asAddr } from '../../bytes/index.ts';
import { type DataExport, data, type ExportTable, type FunctionExport, fn } from '../exports.ts';
import type { Kernel } from '../kernel.ts';
import { freeArray, getArray, setArray } from './array-ops.ts';
import { INTEGER_PARAMS, type IntegerParam } from './standard-ops.ts';

type Setter = (k: Kernel) => number;

const set = (name: string, run: Setter): FunctionExport =>
  fn(`int ${name}(const char *val, const struct kernel_param *kp)`, run);
const get = (name: string, run: Setter): FunctionExport =>
  fn(`int ${name}(char *buffer, const struct kernel_param *kp)`, run);

/** A `struct kernel_param_ops` whose functions are ours. */
function ops(
  setter: string,
  getter: string,
  more: { readonly free?: string; readonly noArgument?: boolean } = {},
): DataExport {
  return data('const struct kernel_param_ops', (k, addr) => {
    const layout = k.spec.types.struct('kernel_param_ops');
    const put = (field: string, name: string) =>
      k.memory.writePtr(asAddr(addr + layout.offsetOf(field)), k.natives.addressOf(name));
    if (more.noArgument === true) {
      const flag = k.spec.types.enumValue('KERNEL_PARAM_OPS_FL_NOARG');
      k.memory.writeU32(asAddr(addr + layout.offsetOf('flags')), flag);
    }
    put('set', setter);
    put('get', getter);
    if (more.free !== undefined) put('free', more.free);
  });
}

function integerExports(): ExportTable {
  const table: Record<string, FunctionExport | DataExport> = {};
  for (const type of Object.keys(INTEGER_PARAMS) as IntegerParam[]) {
    table[`param_set_${type}`] = set(`param_set_${type}`, (k) =>
      k.params.setInteger(type, k.args.addr(0), k.args.addr(1)),
    );
    table[`param_get_${type}`] = get(`param_get_${type}`, (k) =>
      k.params.getInteger(type, k.args.addr(0), k.args.addr(1)),
    );
    table[`param_ops_${type}`] = ops(`param_set_${type}`, `param_get_${type}`);
  }
  return table;
}

/** kernel/params.c */
export const paramExports: ExportTable = {
  ...integerExports(),
  param_set_charp: set('param_set_charp', (k) => k.params.setCharp(k.args.addr(0), k.args.addr(1))),
  param_get_charp: get('param_get_charp', (k) => k.params.getCharp(k.args.addr(0), k.args.addr(1))),
  param_free_charp: fn('void param_free_charp(void *arg)', (k) => k.params.freeCharp(k.args.addr(0))),
  param_ops_charp: ops('param_set_charp', 'param_get_charp', { free: 'param_free_charp' }),
  param_set_bool: set('param_set_bool', (k) => k.params.setBool(k.args.addr(0), k.args.addr(1))),
  param_get_bool: get('param_get_bool', (k) => k.params.getBool(k.args.addr(0), k.args.addr(1))),
  param_ops_bool: ops('param_set_bool', 'param_get_bool', { noArgument: true }),
  param_set_bool_enable_only: set('param_set_bool_enable_only', (k) =>
    k.params.setBoolEnableOnly(k.args.addr(0), k.args.addr(1)),
  ),
  param_ops_bool_enable_only: ops('param_set_bool_enable_only', 'param_get_bool', { noArgument: true }),
  param_set_invbool: set('param_set_invbool', (k) => k.params.setInvbool(k.args.addr(0), k.args.addr(1))),
  param_get_invbool: get('param_get_invbool', (k) => k.params.getInvbool(k.args.addr(0), k.args.addr(1))),
  param_ops_invbool: ops('param_set_invbool', 'param_get_invbool'),
  param_set_bint: set('param_set_bint', (k) => k.params.setBint(k.args.addr(0), k.args.addr(1))),
  param_ops_bint: ops('param_set_bint', 'param_get_int', { noArgument: true }),
  param_set_uint_minmax: fn(
    'int param_set_uint_minmax(const char *val, const struct kernel_param *kp, unsigned int min, unsigned int max)',
    (k) => k.params.setUintMinmax(k.args.addr(0), k.args.addr(1), k.args.u32(2), k.args.u32(3)),
  ),
  param_set_copystring: set('param_set_copystring', (k) =>
    k.params.setCopystring(k.args.addr(0), k.args.addr(1)),
  ),
  param_get_string: get('param_get_string', (k) => k.params.getString(k.args.addr(0), k.args.addr(1))),
  param_ops_string: ops('param_set_copystring', 'param_get_string'),
  param_array_set: fn('int param_array_set(const char *val, const struct kernel_param *kp)', (k) =>
    setArray(k.paramServices, k.args.addr(0), k.args.addr(1)),
  ),
  param_array_get: fn('int param_array_get(char *buffer, const struct kernel_param *kp)', (k) =>
    getArray(k.paramServices, k.args.addr(0), k.args.addr(1)),
  ),
  param_array_free: fn('void param_array_free(void *arg)', (k) => freeArray(k.paramServices, k.args.addr(0))),
  param_array_ops: ops('param_array_set', 'param_array_get', { free: 'param_array_free' }),
};
