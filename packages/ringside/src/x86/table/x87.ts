/** x87. Columns: see `encodings.ts`. Source: SDM vol. 2. */
export const X87 = `
D8 /0 mem        Md           fadd         -
D8 /1 mem        Md           fmul         -
D8 /2 mem        Md           fcom         -
D8 /3 mem        Md           fcomp        -
D8 /4 mem        Md           fsub         -
D8 /5 mem        Md           fsubr        -
D8 /6 mem        Md           fdiv         -
D8 /7 mem        Md           fdivr        -
D8 /0 reg        ST T         fadd         -
D8 /1 reg        ST T         fmul         -
D8 /2 reg        ST T         fcom         -
D8 /3 reg        ST T         fcomp        -
D8 /4 reg        ST T         fsub         -
D8 /5 reg        ST T         fsubr        -
D8 /6 reg        ST T         fdiv         -
D8 /7 reg        ST T         fdivr        -
D9 /0 mem        Md           fld          -
D9 /2 mem        Md           fst          -
D9 /3 mem        Md           fstp         -
D9 /4 mem        M            fldenv       -
D9 /5 mem        Mw           fldcw        -
D9 /6 mem        M            fnstenv      -
D9 /7 mem        Mw           fnstcw       -
D9 /0 reg        T            fld          -
D9 /1 reg        ST T         fxch         -
D9 D0            -            fnop         -
D9 /3 reg        T            fstpnce      -
D9 E0            -            fchs         -
D9 E1            -            fabs         -
D9 E4            -            ftst         -
D9 E5            -            fxam         -
D9 E8            -            fld1         -
D9 E9            -            fldl2t       -
D9 EA            -            fldl2e       -
D9 EB            -            fldpi        -
D9 EC            -            fldlg2       -
D9 ED            -            fldln2       -
D9 EE            -            fldz         -
D9 F0            -            f2xm1        -
D9 F1            -            fyl2x        -
D9 F2            -            fptan        -
D9 F3            -            fpatan       -
D9 F4            -            fxtract      -
D9 F5            -            fprem1       -
D9 F6            -            fdecstp      -
D9 F7            -            fincstp      -
D9 F8            -            fprem        -
D9 F9            -            fyl2xp1      -
D9 FA            -            fsqrt        -
D9 FB            -            fsincos      -
D9 FC            -            frndint      -
D9 FD            -            fscale       -
D9 FE            -            fsin         -
D9 FF            -            fcos         -
DA /0 mem        Md           fiadd        -
DA /1 mem        Md           fimul        -
DA /2 mem        Md           ficom        -
DA /3 mem        Md           ficomp       -
DA /4 mem        Md           fisub        -
DA /5 mem        Md           fisubr       -
DA /6 mem        Md           fidiv        -
DA /7 mem        Md           fidivr       -
DA /0 reg        ST T         fcmovb       r=c
DA /1 reg        ST T         fcmove       r=z
DA /2 reg        ST T         fcmovbe      r=zc
DA /3 reg        ST T         fcmovu       r=p
DA E9            -            fucompp      -
DB /0 mem        Md           fild         -
DB /1 mem        Md           fisttp       -
DB /2 mem        Md           fist         -
DB /3 mem        Md           fistp        -
DB /5 mem        Mt           fld          -
DB /7 mem        Mt           fstp         -
DB /0 reg        ST T         fcmovnb      r=c
DB /1 reg        ST T         fcmovne      r=z
DB /2 reg        ST T         fcmovnbe     r=zc
DB /3 reg        ST T         fcmovnu      r=p
DB E0            -            fneni        -
DB E1            -            fneni        -
DB E2            -            fnclex       -
DB E3            -            fninit       -
DB E4            -            fneni        -
DB /5 reg        ST T         fucomi       w=oszapc
DB /6 reg        ST T         fcomi        w=oszapc
DC /0 mem        Mq           fadd         -
DC /1 mem        Mq           fmul         -
DC /2 mem        Mq           fcom         -
DC /3 mem        Mq           fcomp        -
DC /4 mem        Mq           fsub         -
DC /5 mem        Mq           fsubr        -
DC /6 mem        Mq           fdiv         -
DC /7 mem        Mq           fdivr        -
DC /0 reg        T ST         fadd         -
DC /1 reg        T ST         fmul         -
DC /2 reg        ST T         fcom         -
DC /3 reg        ST T         fcomp        -
DC /4 reg        T ST         fsubr        -
DC /5 reg        T ST         fsub         -
DC /6 reg        T ST         fdivr        -
DC /7 reg        T ST         fdiv         -
DD /0 mem        Mq           fld          -
DD /1 mem        Mq           fisttp       -
DD /2 mem        Mq           fst          -
DD /3 mem        Mq           fstp         -
DD /4 mem        M            frstor       -
DD /6 mem        M            fnsave       -
DD /7 mem        Mw           fnstsw       -
DD /0 reg        T            ffree        -
DD /1 reg        ST T         fxch         -
DD /2 reg        T            fst          -
DD /3 reg        T            fstp         -
DD /4 reg        ST T         fucom        -
DD /5 reg        ST T         fucomp       -
DE /0 mem        Mw           fiadd        -
DE /1 mem        Mw           fimul        -
DE /2 mem        Mw           ficom        -
DE /3 mem        Mw           ficomp       -
DE /4 mem        Mw           fisub        -
DE /5 mem        Mw           fisubr       -
DE /6 mem        Mw           fidiv        -
DE /7 mem        Mw           fidivr       -
DE /0 reg        T ST         faddp        -
DE /1 reg        T ST         fmulp        -
DE /2 reg        ST T         fcomp        -
DE /4 reg        T ST         fsubrp       -
DE /5 reg        T ST         fsubp        -
DE /6 reg        T ST         fdivrp       -
DE /7 reg        T ST         fdivp        -
DE D9            -            fcompp       -
DF /0 mem        Mw           fild         -
DF /1 mem        Mw           fisttp       -
DF /2 mem        Mw           fist         -
DF /3 mem        Mw           fistp        -
DF /4 mem        Mt           fbld         -
DF /5 mem        Mq           fild         -
DF /6 mem        Mt           fbstp        -
DF /7 mem        Mq           fistp        -
DF /0 reg        T            ffreep       -
DF /1 reg        ST T         fxch         -
DF /2 reg        T            fstp         -
DF /3 reg        T            fstp         -
DF E0            -            fnstsw_ax    -
DF /5 reg        ST T         fucomip      w=oszapc
DF /6 reg        ST T         fcomip       w=oszapc
`;
