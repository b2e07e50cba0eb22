/** MMX, SSE and SSE2, decoded so that listings and lengths are right; not yet translated. Source: SDM vol. 2. */
export const SIMD = `
`;
