/** Who may do what with a znode. */
import type { JSX } from "preact";
import type { Znode } from "../api.ts";
import { permissionsInWords, visible } from "../format/values.ts";

export function AclList({ znode: { acl } }: { readonly znode: Pick<Znode, "acl"> }): JSX.Element {
  return (
    <>
      <h2>Who may do what</h2>
      <div class="scroll" tabIndex={0} role="group" aria-label="Access control list">
        <table>
          <thead>
            <tr>
              <th scope="col">Scheme</th>
              <th scope="col">Who</th>
              <th scope="col">May</th>
            </tr>
          </thead>
          <tbody>
            {acl.map(({ scheme, id, permissions }) => (
              <tr key={`${scheme} ${id} ${permissions}`}>
                <td>{visible(scheme)}</td>
                <td>{visible(id)}</td>
                <td>{permissionsInWords(permissions)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
