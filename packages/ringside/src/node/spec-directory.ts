import { homedir } from 'node:os';
import { join } from 'node:path';

/** The user's own directory for specs of kernels they added, by the platform's habit. */
export function specDirectory(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
  home: string = homedir(),
): string {
  const cache = ((): string => {
    if (platform === 'win32') return env['LOCALAPPDATA'] || join(home, 'AppData', 'Local');
    if (platform === 'darwin') return join(home, 'Library', 'Caches');
    // The base directory specification: a relative path is to be ignored.
    const xdg = env['XDG_CACHE_HOME'];
    return xdg?.startsWith('/') === true ? xdg : join(home, '.cache');
  })();
  return join(cache, 'ringside', 'kernels');
}
