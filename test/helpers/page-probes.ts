/**
 * What tests ask a page in a browser. Questions are texts: they are run there, where there is a DOM, not
 * here, where there is none.
 */
import type { Page } from 'playwright-core';

/** Waits until what was asked for is drawn. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
  );
  await page.waitForTimeout(50);
}

/** How many elements there are. */
export function countElements(page: Page): Promise<number> {
  return page.evaluate('document.querySelectorAll("*").length');
}

/** How wide the page is, with what would have to be scrolled to. */
export function widthOf(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth');
}

/** Notes all shifts of the layout from now on, those that follow a key as well. */
export async function observeShifts(page: Page): Promise<void> {
  await page.evaluate(`
    window.shifts = [];
    const place = ({ node, previousRect, currentRect }) => {
      const element = node instanceof Element ? node : node?.parentElement;
      const from = previousRect.x + ',' + previousRect.y;
      return element?.getAttribute('class') + ' from ' + from + ' to ' + currentRect.x + ',' + currentRect.y;
    };
    new PerformanceObserver((list) => {
      for (const { sources } of list.getEntries()) window.shifts.push(...sources.map(place));
    }).observe({ type: 'layout-shift', buffered: false });
  `);
}

/** What has shifted since, and from where to where. */
export function shiftsOf(page: Page): Promise<string[]> {
  return page.evaluate('window.shifts');
}

/** A property of the page's root. */
export function rootStyle(page: Page, name: string): Promise<string> {
  const style = 'getComputedStyle(document.documentElement)';
  return page.evaluate(`${style}.getPropertyValue(${JSON.stringify(name)}).trim()`);
}

/** How much two colours of the page differ, by WCAG: from 1 to 21. */
export async function contrastOf(page: Page, ink: string, ground: string): Promise<number> {
  const [one, other] = [await rootStyle(page, ink), await rootStyle(page, ground)].map(luminanceOf);
  const [low, high] = [one ?? 0, other ?? 0].toSorted((a, b) => a - b);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

function luminanceOf(colour: string): number {
  const digits = /^#([0-9a-f]{6}|[0-9a-f]{3})$/i.exec(colour)?.[1];
  if (digits === undefined) throw new Error(`${colour} is no colour in hexadecimal digits`);
  const long = digits.length === 3 ? digits.replace(/./g, '$&$&') : digits;
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const part = Number.parseInt(long.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
