/**
 * What Linux keeps in `lib/`, as far as text goes: formatting (`vsnprintf` with every `%p` extension), scanning,
 * numbers from text, dumps, escapes, and strings in guest memory.
 *
 * Key types: `FormatServices` (what formatting needs of the kernel; one per machine), `VariableArguments` (where
 * the arguments of a variadic call come from: `RegisterArguments` for the native that runs, `VaListArguments` for
 * a `va_list`, `ValueArguments` for code of ours). Text is Latin-1: one character is one byte of the guest.
 * Everything but the functions over `GuestMemory` is pure.
 *
 *     fmt, VariableArguments -> decodeConversion -> putNumber | putString | putPointer -> Output (text, length)
 */
export * from './ctype.ts';
export * from './errname.ts';
export * from './hexdump.ts';
export * from './kstrtox.ts';
export * from './siphash.ts';
export * from './string.ts';
export * from './string-escape.ts';
export * from './string-helpers.ts';
export * from './vsprintf/arguments.ts';
export * from './vsprintf/flag-names.ts';
export * from './vsprintf/services.ts';
export * from './vsprintf/vsnprintf.ts';
export { type Formatted, format, pointerError } from './vsprintf/vsprintf.ts';
export * from './vsscanf.ts';
