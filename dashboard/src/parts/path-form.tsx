/** Asks for the path of a znode. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";

type Props = {
  /** What stands in the field. */
  readonly path: string;
  /** What the button says. */
  readonly submit: string;
  readonly onPath: (path: string) => void;
};

export function PathForm({ path, submit, onPath }: Props): JSX.Element {
  const [text, setText] = useState(path);
  useEffect(() => setText(path), [path]);
  return (
    <form
      class="go"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = text.trim().replace(/(.)\/+$/, "$1");
        onPath(wanted.startsWith("/") ? wanted : `/${wanted}`);
      }}
    >
      <label>
        <span class="quiet">Path</span>
        <input
          value={text}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit">{submit}</button>
    </form>
  );
}
