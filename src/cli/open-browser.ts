/** Opens an address in the user's browser, without a shell; a machine that has none is no error. */
import { spawn } from 'node:child_process';

/** Starts the browser and goes on. */
export function openBrowser(url: string): void {
  const [command, args] = commandFor(process.platform, url);
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  // The address is printed too.
  child.on('error', () => {});
  child.unref();
}

function commandFor(platform: NodeJS.Platform, url: string): [string, string[]] {
  switch (platform) {
    case 'darwin':
      return ['open', [url]];
    case 'win32':
      return ['rundll32', ['url.dll,FileProtocolHandler', url]];
    default:
      return ['xdg-open', [url]];
  }
}
