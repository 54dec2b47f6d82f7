/** Writes to the terminal: one line that is replaced while something runs, plain lines where there is no terminal. */
export type Screen = {
  /** Replaces the last status on a terminal; a line of its own elsewhere. */
  readonly status: (text: string) => void;
  /** Stays. */
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
