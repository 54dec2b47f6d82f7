/** Deletes a znode with all that is below it: first it says how many that are, and then it takes no more than these. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { codeOf, type Count, messageOf, read, write } from "../api.ts";
import { counted, grouped } from "../format/numbers.ts";
import { nameOf, parentOf } from "../format/paths.ts";
import { visible } from "../format/values.ts";
import { go } from "../router.ts";
import { ActionForm } from "./action-form.tsx";
import { Problem } from "./problem.tsx";

type Props = { readonly path: string; readonly onDone: () => void };

export function DeleteForm({ path, onDone }: Props): JSX.Element {
  const [count, setCount] = useState<Count>();
  const [typed, setTyped] = useState("");
  /** Why it could not be counted. */
  const [problem, setProblem] = useState<string>();
  const look = async (): Promise<void> => {
    try {
      setCount(await read<Count>("count", { path }));
    } catch (error) {
      setCount(undefined);
      setProblem(messageOf(error));
    }
  };
  useEffect(() => void look(), [path]);
  const remove = async (): Promise<void> => {
    try {
      await write("delete-all", { path, znodes: count?.znodes });
    } catch (error) {
      if (codeOf(error) !== "ZOOID_NOT_EMPTY") throw error;
      await look();
      throw new Error("There are more by now. Nothing was deleted.", { cause: error });
    }
    go({ page: "tree", path: parentOf(path) });
  };
  const isAlone = count?.znodes === 1;
  /** As it is shown, so that each name can be typed. */
  const name = visible(nameOf(path));
  return (
    <ActionForm
      title={`Delete ${visible(path)}`}
      submit={count === undefined ? "Delete" : `Delete ${counted(count.znodes, "znode")}`}
      kind="danger"
      isReady={count?.isWhole === true && (isAlone || typed === name)}
      act={remove}
      onCancel={onDone}
    >
      {count !== undefined && <p>{textOf(count)}</p>}
      {count === undefined && problem === undefined && <p>Counting …</p>}
      <Problem text={problem} />
      {count?.isWhole === true && !isAlone && (
        <label>
          Type <strong>{name}</strong> to delete them all
          <input
            value={typed}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
      )}
    </ActionForm>
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
