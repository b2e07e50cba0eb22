/** String instructions; `rep` forms are the prefix's. The operand column gives the element: byte or operand size. Source: SDM vol. 2. */
export const STRING = `
A4               b            movs       -                rep
A5               v            movs       -                rep
A6               b            cmps       w=oszapc         rep
A7               v            cmps       w=oszapc         rep
AA               b            stos       -                rep
AB               v            stos       -                rep
AC               b            lods       -                rep
AD               v            lods       -                rep
AE               b            scas       w=oszapc         rep
AF               v            scas       w=oszapc         rep
6C               b            ins        -                rep
6D               v            ins        -                rep
6E               b            outs       -                rep
6F               v            outs       -                rep
`;
