/** Opens a znode by its path. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";

type Props = { readonly path: string; readonly onGo: (path: string) => void };

export function GoTo({ path, onGo }: Props): JSX.Element {
  const [text, setText] = useState(path);
  useEffect(() => setText(path), [path]);
  return (
    <form
      class="go"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = text.trim().replace(/(.)\/+$/, "$1");
        onGo(wanted.startsWith("/") ? wanted : `/${wanted}`);
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
      <button type="submit">Open</button>
    </form>
  );
}
