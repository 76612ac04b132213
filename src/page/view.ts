/** A part of the page that can be replaced. */
export interface View {
  readonly root: HTMLElement;
  /** Focuses the element that the user is most likely to use first. */
  readonly focus: () => void;
  /** Stops timers and listeners. */
  readonly dispose: () => void;
}
