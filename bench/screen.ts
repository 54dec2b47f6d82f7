/**
 * Writes to the terminal. The status is one line that is replaced while something runs; without a terminal each status is a line of
 * its own.
 */
export type Screen = {
  /** Shows a status in place of the one before. */
  readonly status: (text: string) => void;
  /** Prints a line that stays. */
  readonly print: (text: string) => void;
};

export function openScreen(stream: NodeJS.WriteStream): Screen {
  let statusShown = false;
  const clear = (): void => {
    if (statusShown) stream.write("\r\u001b[2K");
    statusShown = false;
  };
  return {
    status: (text) => {
      clear();
      stream.write(stream.isTTY ? text : `${text}\n`);
      statusShown = stream.isTTY === true;
    },
    print: (text) => {
      clear();
      stream.write(text.endsWith("\n") ? text : `${text}\n`);
    },
  };
}
