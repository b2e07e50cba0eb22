/**
 * The guest's address space. `GuestMemory` owns the one WebAssembly memory, its shadow and its page permissions;
 * `layout.ts` says where the regions are. Both the engine (inline checks in translated code) and the kernel
 * (checked accessors) stand on it.
 */
export * from './access-fault.ts';
export * from './alias.ts';
export * from './definedness.ts';
export * from './guest-memory.ts';
export * from './layout.ts';
export * from './shadow.ts';
export * from './tracked-memory.ts';
