//! What the addon's backends are called.

/** Which of them the addon has depends on the platform. */
export type MechanismName = "uring" | "epoll" | "kqueue" | "poll" | "iocp";

/** What messages call them. */
export const MECHANISM_TITLES: Readonly<Record<MechanismName, string>> = {
  uring: "io_uring",
  epoll: "epoll",
  kqueue: "kqueue",
  poll: "poll",
  iocp: "an I/O completion port",
};
