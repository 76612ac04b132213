/** The space between a menu and its button, and around a menu, in pixels. */
const gap = 4;

/** Places an open menu below its button, or above it if there is more room, within the window. */
export function placeMenu(menu: HTMLElement, button: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const [windowWidth, windowHeight] = [document.documentElement.clientWidth, innerHeight];
  const isBelow = at.bottom + gap + height <= windowHeight || at.top < windowHeight - at.bottom;
  const top = isBelow ? at.bottom + gap : at.top - gap - height;
  const left = Math.min(at.right - width, windowWidth - width - gap);
  menu.style.top = `${Math.max(gap, top)}px`;
  menu.style.left = `${Math.max(gap, left)}px`;
}
