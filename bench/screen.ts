/**
 * Writes to the terminal. What a reader keeps goes to standard output; progress goes to another stream, as one line that is replaced
 * while something runs. Without a terminal each status is a line of its own.
 */
export type Screen = {
  /** Shows a status in place of the one before. */
  readonly status: (text: string) => void;
  /** Prints a line that stays. */
  readonly print: (text: string) => void;
};

export function openScreen(
  output: NodeJS.WriteStream,
  progress: NodeJS.WriteStream = output,
): Screen {
  let statusShown = false;
  const clear = (): void => {
    if (statusShown) progress.write("\r\u001b[2K");
    statusShown = false;
  };
  return {
    status: (text) => {
      clear();
      progress.write(progress.isTTY ? text : `${text}\n`);
      statusShown = progress.isTTY === true;
    },
    print: (text) => {
      clear();
      output.write(text.endsWith("\n") ? text : `${text}\n`);
    },
  };
}
