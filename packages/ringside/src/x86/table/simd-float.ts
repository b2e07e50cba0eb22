/** SSE, SSE2 and SSE3 on floating-point numbers. Columns: see `encodings.ts`. Source: SDM vol. 2. */
export const SIMD_FLOAT = `
NP 0F 10 /r      Vo Wo        movups       -
66 0F 10 /r      Vo Wo        movupd       -
F3 0F 10 /r      Vo Wd        movss        -
F2 0F 10 /r      Vo Wq        movsd        -
NP 0F 11 /r      Wo Vo        movups       -
66 0F 11 /r      Wo Vo        movupd       -
F3 0F 11 /r      Wd Vo        movss        -
F2 0F 11 /r      Wq Vo        movsd        -
NP 0F 12 /r mem  Vo Mq        movlps       -
NP 0F 12 /r reg  Vo Uo        movhlps      -
66 0F 12 /r mem  Vo Mq        movlpd       -
F3 0F 12 /r      Vo Wo        movsldup     -
F2 0F 12 /r      Vo Wq        movddup      -
NP 0F 13 /r mem  Mq Vo        movlps       -
66 0F 13 /r mem  Mq Vo        movlpd       -
NP 0F 14 /r      Vo Wo        unpcklps     -
66 0F 14 /r      Vo Wo        unpcklpd     -
NP 0F 15 /r      Vo Wo        unpckhps     -
66 0F 15 /r      Vo Wo        unpckhpd     -
NP 0F 16 /r mem  Vo Mq        movhps       -
NP 0F 16 /r reg  Vo Uo        movlhps      -
66 0F 16 /r mem  Vo Mq        movhpd       -
F3 0F 16 /r      Vo Wo        movshdup     -
NP 0F 17 /r mem  Mq Vo        movhps       -
66 0F 17 /r mem  Mq Vo        movhpd       -
NP 0F 28 /r      Vo Wo        movaps       -
66 0F 28 /r      Vo Wo        movapd       -
NP 0F 29 /r      Wo Vo        movaps       -
66 0F 29 /r      Wo Vo        movapd       -
NP 0F 2A /r      Vo Qq        cvtpi2ps     -
66 0F 2A /r      Vo Qq        cvtpi2pd     -
F3 0F 2A /r      Vo Ey        cvtsi2ss     -
F2 0F 2A /r      Vo Ey        cvtsi2sd     -
NP 0F 2B /r mem  Mo Vo        movntps      -
66 0F 2B /r mem  Mo Vo        movntpd      -
NP 0F 2C /r      Pq Wq        cvttps2pi    -
66 0F 2C /r      Pq Wo        cvttpd2pi    -
F3 0F 2C /r      Gy Wd        cvttss2si    -
F2 0F 2C /r      Gy Wq        cvttsd2si    -
NP 0F 2D /r      Pq Wq        cvtps2pi     -
66 0F 2D /r      Pq Wo        cvtpd2pi     -
F3 0F 2D /r      Gy Wd        cvtss2si     -
F2 0F 2D /r      Gy Wq        cvtsd2si     -
NP 0F 2E /r      Vo Wd        ucomiss      w=oszapc
66 0F 2E /r      Vo Wq        ucomisd      w=oszapc
NP 0F 2F /r      Vo Wd        comiss       w=oszapc
66 0F 2F /r      Vo Wq        comisd       w=oszapc
NP 0F 50 /r reg  Gy Uo        movmskps     -
66 0F 50 /r reg  Gy Uo        movmskpd     -
NP 0F 51 /r      Vo Wo        sqrtps       -
66 0F 51 /r      Vo Wo        sqrtpd       -
F3 0F 51 /r      Vo Wd        sqrtss       -
F2 0F 51 /r      Vo Wq        sqrtsd       -
NP 0F 52 /r      Vo Wo        rsqrtps      -
F3 0F 52 /r      Vo Wd        rsqrtss      -
NP 0F 53 /r      Vo Wo        rcpps        -
F3 0F 53 /r      Vo Wd        rcpss        -
NP 0F 54 /r      Vo Wo        andps        -
66 0F 54 /r      Vo Wo        andpd        -
NP 0F 55 /r      Vo Wo        andnps       -
66 0F 55 /r      Vo Wo        andnpd       -
NP 0F 56 /r      Vo Wo        orps         -
66 0F 56 /r      Vo Wo        orpd         -
NP 0F 57 /r      Vo Wo        xorps        -
66 0F 57 /r      Vo Wo        xorpd        -
NP 0F 58 /r      Vo Wo        addps        -
66 0F 58 /r      Vo Wo        addpd        -
F3 0F 58 /r      Vo Wd        addss        -
F2 0F 58 /r      Vo Wq        addsd        -
NP 0F 59 /r      Vo Wo        mulps        -
66 0F 59 /r      Vo Wo        mulpd        -
F3 0F 59 /r      Vo Wd        mulss        -
F2 0F 59 /r      Vo Wq        mulsd        -
NP 0F 5A /r      Vo Wq        cvtps2pd     -
66 0F 5A /r      Vo Wo        cvtpd2ps     -
F3 0F 5A /r      Vo Wd        cvtss2sd     -
F2 0F 5A /r      Vo Wq        cvtsd2ss     -
NP 0F 5B /r      Vo Wo        cvtdq2ps     -
66 0F 5B /r      Vo Wo        cvtps2dq     -
F3 0F 5B /r      Vo Wo        cvttps2dq    -
NP 0F 5C /r      Vo Wo        subps        -
66 0F 5C /r      Vo Wo        subpd        -
F3 0F 5C /r      Vo Wd        subss        -
F2 0F 5C /r      Vo Wq        subsd        -
NP 0F 5D /r      Vo Wo        minps        -
66 0F 5D /r      Vo Wo        minpd        -
F3 0F 5D /r      Vo Wd        minss        -
F2 0F 5D /r      Vo Wq        minsd        -
NP 0F 5E /r      Vo Wo        divps        -
66 0F 5E /r      Vo Wo        divpd        -
F3 0F 5E /r      Vo Wd        divss        -
F2 0F 5E /r      Vo Wq        divsd        -
NP 0F 5F /r      Vo Wo        maxps        -
66 0F 5F /r      Vo Wo        maxpd        -
F3 0F 5F /r      Vo Wd        maxss        -
F2 0F 5F /r      Vo Wq        maxsd        -
66 0F 7C /r      Vo Wo        haddpd       -
F2 0F 7C /r      Vo Wo        haddps       -
66 0F 7D /r      Vo Wo        hsubpd       -
F2 0F 7D /r      Vo Wo        hsubps       -
NP 0F C2 /r      Vo Wo Ib     cmpps        -
66 0F C2 /r      Vo Wo Ib     cmppd        -
F3 0F C2 /r      Vo Wd Ib     cmpss        -
F2 0F C2 /r      Vo Wq Ib     cmpsd        -
NP 0F C6 /r      Vo Wo Ib     shufps       -
66 0F C6 /r      Vo Wo Ib     shufpd       -
66 0F D0 /r      Vo Wo        addsubpd     -
F2 0F D0 /r      Vo Wo        addsubps     -
66 0F E6 /r      Vo Wo        cvttpd2dq    -
F3 0F E6 /r      Vo Wq        cvtdq2pd     -
F2 0F E6 /r      Vo Wo        cvtpd2dq     -
`;
