/**
 * The kernel's log: `Printk` stores messages with level, time and caller, joins continued ones, and gives them to
 * readers (`dmesg`, `/dev/kmsg`, a listener that streams). One per machine; the host owns it, the guest sees it
 * only through its functions. Rate limiting works on the guest's `struct ratelimit_state`.
 *
 *     emit(text) -> level and KERN_CONT from the prefix -> RecordRing (open record) -> finished LogRecord -> readers
 */
export * from './levels.ts';
export * from './printk.ts';
export * from './ratelimit.ts';
export * from './record.ts';
