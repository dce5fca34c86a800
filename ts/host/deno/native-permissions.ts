//! What native I/O needs of Deno. Deno does not check what an addon does, so what the guest was granted
//! has to be allowed to the program beforehand.

import { StackfulError } from "../../errors.ts";
import { bundled } from "../../package-files.ts";
import { flagOf, type Permission, permitted } from "../../permissions.ts";
import type { EndpointGrant, Grants } from "../backend.ts";
import { checkDirectoryGrant, checkEndpointGrant } from "../grants.ts";
import { presentAddonFile } from "../native/load-addon.ts";
import { MECHANISM_TITLES, type MechanismName } from "../native/mechanisms.ts";
import { netPermission } from "../resources/sandbox.ts";

/**
 * @throws {StackfulError} `SF_IO` with errno EPERM, which names the flags that are missing.
 * @throws {TypeError} or RangeError for a grant that can match nothing.
 */
export function checkNativePermissions(name: MechanismName, grants: Grants): void {
  grants.directories?.forEach(checkDirectoryGrant);
  grants.connect?.forEach(checkEndpointGrant);
  grants.listen?.forEach(checkEndpointGrant);
  const missing = needed(grants).filter((permission) => !permitted(permission));
  if (missing.length === 0) return;
  const flags = [...new Set(missing.map(flagOf))].join(" ");
  const title = MECHANISM_TITLES[name];
  throw new StackfulError("SF_IO", `open ${title}: in Deno it needs ${flags}`, { errno: "EPERM" });
}

function needed({
  connect = [],
  listen = [],
  directories = [],
  dns,
  processes,
}: Grants): Permission[] {
  return [
    ...programPermissions(processes),
    // The host's resolver asks whom it likes.
    ...(dns === undefined ? [] : [{ name: "net" } as const]),
    ...(bundled ? [] : addonPermissions(presentAddonFile())),
    ...[...connect, ...listen].map(endpointPermission),
    ...directories.flatMap(({ host: path, readOnly }): Permission[] =>
      readOnly === true
        ? [{ name: "read", path }]
        : [
            { name: "read", path },
            { name: "write", path },
          ],
    ),
  ];
}

function programPermissions(processes: Grants["processes"]): Permission[] {
  if (processes === undefined) return [];
  if (processes === true) return [{ name: "run" }];
  return processes.programs.map((command) => ({ name: "run", command }));
}

function addonPermissions(path: string): Permission[] {
  return [
    { name: "ffi", path },
    { name: "read", path },
  ];
}

function endpointPermission({ bytes, port }: EndpointGrant): Permission {
  return bytes === undefined ? { name: "net" } : netPermission(bytes, port);
}
