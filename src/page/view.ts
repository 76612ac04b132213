/** A part of the page that comes and goes. */
export interface View {
  readonly root: HTMLElement;
  /** Puts the keyboard where a person goes on. */
  readonly focus: () => void;
  /** Stops timers and listeners. */
  readonly dispose: () => void;
}
