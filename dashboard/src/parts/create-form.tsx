/** Makes a znode below another one. */
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { write } from "../api.ts";
import { childOf } from "../format/paths.ts";
import { visible } from "../format/values.ts";
import { go } from "../router.ts";
import { ActionForm } from "./action-form.tsx";

type Props = { readonly parent: string; readonly onDone: () => void };

export function CreateForm({ parent, onDone }: Props): JSX.Element {
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const [sequential, setSequential] = useState(false);
  const create = async (): Promise<void> => {
    const path = childOf(parent, name);
    const made = await write("create", { path, text, sequential, parents: name.includes("/") });
    onDone();
    go({ page: "tree", path: made.path });
  };
  return (
    <ActionForm
      title={`Create below ${visible(parent)}`}
      submit="Create"
      kind="primary"
      isReady={name !== "" || sequential}
      act={create}
      onCancel={onDone}
    >
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
    </ActionForm>
  );
}
