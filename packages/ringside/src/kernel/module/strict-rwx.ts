import { asAddr, NULL } from '../../bytes/index.ts';
import { type GuestMemory, PROT_RO, PROT_RX, type Protection } from '../../memory/index.ts';
import type { Module } from './module.ts';

/**
 * Page permissions of a module's memory: text may be executed, read-only data and text not be written, and what
 * is read-only after init becomes so then. Source: kernel/module/strict_rwx.c.
 */
export function enableRo(memory: GuestMemory, module: Module, afterInit: boolean): void {
  const core = module.layout('core');
  const protect = (start: number, size: number, protection: Protection): void => {
    if (size > 0) memory.protect(asAddr(start), size, protection);
  };
  if (afterInit) {
    protect(core.base + core.roSize, core.roAfterInitSize - core.roSize, PROT_RO);
    return;
  }
  for (const area of [core, module.layout('init')]) {
    if (area.base === NULL) continue;
    protect(area.base, area.textSize, PROT_RX);
    protect(area.base + area.textSize, area.roSize - area.textSize, PROT_RO);
  }
}
