/** Moves a terminal's cursor to the start of the line and clears it. */
export const startOfLine = "\r\u001b[K";
