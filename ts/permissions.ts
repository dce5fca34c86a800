//! What Deno lets this process do, by the names of its flags. Any other host allows everything.
//!
//! Where it has a terminal, Deno asks the user, and the whole thread waits for the answer. So whatever
//! may need a permission looks here first, and does without or says which flag it lacks.

/** What Deno can be asked about. Without its scope: all of that kind. */
export type Permission =
  | { readonly name: "net"; readonly host?: string }
  | { readonly name: "read" | "write" | "ffi"; readonly path?: string }
  | { readonly name: "env"; readonly variable?: string }
  | { readonly name: "run"; readonly command?: string };

interface DenoPermissions {
  readonly permissions: {
    /** `partial`: granted, but not for everything that the question covers. */
    querySync(permission: Permission): { readonly state: string; readonly partial: boolean };
  };
  readonly build: { readonly standalone?: boolean };
}

const { Deno: deno } = globalThis as { readonly Deno?: DenoPermissions };

/** Whether all of it is allowed now. Asks nobody. */
export function permitted(permission: Permission): boolean {
  if (deno === undefined) return true;
  const { state, partial } = deno.permissions.querySync(permission);
  return state === "granted" && !partial;
}

/** Whether to try reading a file. A compiled program may read what was compiled into it. */
export function mayRead(path: string): boolean {
  return permitted({ name: "read", path }) || deno?.build.standalone === true;
}

/** The flag that allows it: "--allow-read=/data". */
export function flagOf({ name, ...scope }: Permission): string {
  const [value] = Object.values(scope);
  return value === undefined ? `--allow-${name}` : `--allow-${name}=${value}`;
}

/** An environment variable; undefined where there is none, or none that may be read. */
export function environmentVariable(variable: string): string | undefined {
  // Absent in a browser.
  const { process } = globalThis as { readonly process?: NodeJS.Process };
  if (process === undefined || !permitted({ name: "env", variable })) return undefined;
  return process.env[variable];
}
