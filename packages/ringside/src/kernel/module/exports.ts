import type { ExportTable } from '../exports.ts';

export const moduleExportTable: ExportTable = {};
