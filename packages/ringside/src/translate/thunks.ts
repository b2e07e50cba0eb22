import type { GuestAddr } from '../bytes/index.ts';

/** A function of the image that is known by what it does. */
export type Thunk =
  /** `__x86_return_thunk`: a `ret`. */
  | { readonly kind: 'return' }
  /** `__x86_indirect_thunk_REG`: a jump to the register. */
  | { readonly kind: 'indirect'; readonly register: number }
  /** `__fentry__`: nothing. */
  | { readonly kind: 'nop' };

export type ThunkResolver = (addr: GuestAddr) => Thunk | undefined;
