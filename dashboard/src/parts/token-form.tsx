/** Asks for the node's token, and keeps it for as long as the tab is open. */
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { token, useToken } from "../api.ts";

export function TokenForm(): JSX.Element {
  const [text, setText] = useState("");
  return (
    <form
      class="card narrow"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "") useToken(text.trim());
      }}
    >
      <h1>Token</h1>
      <p>
        {token.value === ""
          ? "This node shows its znodes to whoever has its token."
          : "The node does not take this token."}{" "}
        It is in the file that <code>zooid.adminTokenFile</code> names. It stays in this tab, and is
        forgotten when that is closed.
      </p>
      <label>
        Token
        <input
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary">
        Show
      </button>
    </form>
  );
}
