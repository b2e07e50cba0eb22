/**
 * What `ddebug_dyndbg_module_param_cb` makes of a parameter that a module does not have: whether it is `dyndbg`
 * (also `anything.dyndbg`), and the name that is left of it for the complaint, cut at the first dot.
 * Source: Linux 6.1 lib/dynamic_debug.c.
 */
export function dyndbgParam(param: string): { readonly isDyndbg: boolean; readonly name: string } {
  const dot = param.indexOf('.');
  if (dot < 0) return { isDyndbg: param === 'dyndbg', name: param };
  return { isDyndbg: param.slice(dot + 1) === 'dyndbg', name: param.slice(0, dot) };
}
