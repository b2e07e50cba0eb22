/** Node's own: files, the user's cache of kernel specifications. Only the command and Node programs need it. */
export * from './spec-directory.ts';
export * from './spec-store.ts';
