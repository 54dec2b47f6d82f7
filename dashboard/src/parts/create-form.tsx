/** Makes a znode below another one. */
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { messageOf, write } from "../api.ts";
import { childOf } from "../format/paths.ts";
import { go } from "../router.ts";

type Props = { readonly parent: string; readonly onDone: () => void };

export function CreateForm({ parent, onDone }: Props): JSX.Element {
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const [sequential, setSequential] = useState(false);
  const [problem, setProblem] = useState<string>();
  const create = async (): Promise<void> => {
    try {
      const path = childOf(parent, name);
      const made = await write("create", { path, text, sequential, parents: name.includes("/") });
      onDone();
      go({ page: "tree", path: made.path });
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <h2>Create below {parent}</h2>
      <label>
        Name, or a path of several that are all made
        <input
          value={name}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <label>
        Value
        <textarea rows={5} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={sequential}
          onChange={(event) => setSequential(event.currentTarget.checked)}
        />
        Sequential: a number of ten digits is put behind the name
      </label>
      {problem !== undefined && (
        <p role="alert" class="problem">
          {problem}
        </p>
      )}
      <div class="actions">
        <button type="submit" class="primary" disabled={name === "" && !sequential}>
          Create
        </button>
        <button type="button" onClick={onDone}>
          Cancel
        </button>
      </div>
    </form>
  );
}
