/** Flags of send calls. Kernel: include/linux/socket.h, MSG_* */
export const MSG = { dontRoute: 4, more: 0x8000 } as const
