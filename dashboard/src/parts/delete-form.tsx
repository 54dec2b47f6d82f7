/** Deletes a znode with all that is below it: first it says how many that are, and then it takes no more than these. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { codeOf, type Count, messageOf, read, write } from "../api.ts";
import { counted, grouped } from "../format/numbers.ts";
import { nameOf, parentOf } from "../format/paths.ts";
import { visible } from "../format/values.ts";
import { go } from "../router.ts";

type Props = { readonly path: string; readonly onDone: () => void };

export function DeleteForm({ path, onDone }: Props): JSX.Element {
  const [count, setCount] = useState<Count>();
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState<string>();
  const look = async (): Promise<void> => {
    try {
      setCount(await read<Count>("count", { path }));
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  useEffect(() => void look(), [path]);
  const remove = async ({ znodes }: Count): Promise<void> => {
    try {
      await write("delete-all", { path, znodes });
      go({ page: "tree", path: parentOf(path) });
    } catch (error) {
      const isMore = codeOf(error) === "ZOOID_NOT_EMPTY";
      setProblem(isMore ? "There are more by now. Nothing was deleted." : messageOf(error));
      if (isMore) await look();
    }
  };
  const isAlone = count?.znodes === 1;
  const isSure = isAlone || typed === nameOf(path);
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        if (count?.isWhole === true && isSure) void remove(count);
      }}
    >
      <h2>Delete {visible(path)}</h2>
      {count === undefined ? <p>Counting …</p> : <p>{textOf(count)}</p>}
      {count?.isWhole === true && !isAlone && (
        <label>
          Type <strong>{visible(nameOf(path))}</strong> to delete them all
          <input
            value={typed}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
      )}
      {problem !== undefined && (
        <p role="alert" class="problem">
          {problem}
        </p>
      )}
      <div class="actions">
        <button type="submit" class="danger" disabled={count?.isWhole !== true || !isSure}>
          Delete {count === undefined ? "" : counted(count.znodes, "znode")}
        </button>
        <button type="button" onClick={onDone}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function textOf({ znodes, ephemerals, isWhole }: Count): string {
  if (!isWhole) {
    return `These are more than ${grouped(znodes)} znodes. zooid deleteall deletes them, from the command line.`;
  }
  if (znodes === 1) return "It has no children.";
  const some = ephemerals === 0 ? "" : `, ${grouped(ephemerals)} of them ephemeral`;
  return `It goes with all that is below it: ${counted(znodes, "znode")}${some}. All go in one step, or none.`;
}
