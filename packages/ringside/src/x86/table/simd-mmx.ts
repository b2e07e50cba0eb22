/** MMX, with what SSE and SSE2 added to it. Columns: see `encodings.ts`. Source: SDM vol. 2. */
export const SIMD_MMX = `
NP 0F 60 /r      Pq Qd        punpcklbw    -
NP 0F 61 /r      Pq Qd        punpcklwd    -
NP 0F 62 /r      Pq Qd        punpckldq    -
NP 0F 63 /r      Pq Qq        packsswb     -
NP 0F 64 /r      Pq Qq        pcmpgtb      -
NP 0F 65 /r      Pq Qq        pcmpgtw      -
NP 0F 66 /r      Pq Qq        pcmpgtd      -
NP 0F 67 /r      Pq Qq        packuswb     -
NP 0F 68 /r      Pq Qq        punpckhbw    -
NP 0F 69 /r      Pq Qq        punpckhwd    -
NP 0F 6A /r      Pq Qq        punpckhdq    -
NP 0F 6B /r      Pq Qq        packssdw     -
NP 0F 6E /r      Pq Ey        movd         -
NP 0F 6F /r      Pq Qq        movq         -
NP 0F 70 /r      Pq Qq Ib     pshufw       -
NP 0F 71 /2 reg  Nq Ib        psrlw        -
NP 0F 71 /4 reg  Nq Ib        psraw        -
NP 0F 71 /6 reg  Nq Ib        psllw        -
NP 0F 72 /2 reg  Nq Ib        psrld        -
NP 0F 72 /4 reg  Nq Ib        psrad        -
NP 0F 72 /6 reg  Nq Ib        pslld        -
NP 0F 73 /2 reg  Nq Ib        psrlq        -
NP 0F 73 /6 reg  Nq Ib        psllq        -
NP 0F 74 /r      Pq Qq        pcmpeqb      -
NP 0F 75 /r      Pq Qq        pcmpeqw      -
NP 0F 76 /r      Pq Qq        pcmpeqd      -
NP 0F 77         -            emms         -
NP 0F 7E /r      Ey Pq        movd         -
NP 0F 7F /r      Qq Pq        movq         -
NP 0F C4 /r      Pq Ew Ib     pinsrw       -
NP 0F C5 /r reg  Gy Nq Ib     pextrw       -
F3 0F D6 /r reg  Vo Nq        movq2dq      -
F2 0F D6 /r reg  Pq Uo        movdq2q      -
NP 0F D7 /r reg  Gy Nq        pmovmskb     -
NP 0F D1 /r      Pq Qq        psrlw        -
NP 0F D2 /r      Pq Qq        psrld        -
NP 0F D3 /r      Pq Qq        psrlq        -
NP 0F D4 /r      Pq Qq        paddq        -
NP 0F D5 /r      Pq Qq        pmullw       -
NP 0F D8 /r      Pq Qq        psubusb      -
NP 0F D9 /r      Pq Qq        psubusw      -
NP 0F DA /r      Pq Qq        pminub       -
NP 0F DB /r      Pq Qq        pand         -
NP 0F DC /r      Pq Qq        paddusb      -
NP 0F DD /r      Pq Qq        paddusw      -
NP 0F DE /r      Pq Qq        pmaxub       -
NP 0F DF /r      Pq Qq        pandn        -
NP 0F E0 /r      Pq Qq        pavgb        -
NP 0F E1 /r      Pq Qq        psraw        -
NP 0F E2 /r      Pq Qq        psrad        -
NP 0F E3 /r      Pq Qq        pavgw        -
NP 0F E4 /r      Pq Qq        pmulhuw      -
NP 0F E5 /r      Pq Qq        pmulhw       -
NP 0F E8 /r      Pq Qq        psubsb       -
NP 0F E9 /r      Pq Qq        psubsw       -
NP 0F EA /r      Pq Qq        pminsw       -
NP 0F EB /r      Pq Qq        por          -
NP 0F EC /r      Pq Qq        paddsb       -
NP 0F ED /r      Pq Qq        paddsw       -
NP 0F EE /r      Pq Qq        pmaxsw       -
NP 0F EF /r      Pq Qq        pxor         -
NP 0F F1 /r      Pq Qq        psllw        -
NP 0F F2 /r      Pq Qq        pslld        -
NP 0F F3 /r      Pq Qq        psllq        -
NP 0F F4 /r      Pq Qq        pmuludq      -
NP 0F F5 /r      Pq Qq        pmaddwd      -
NP 0F F6 /r      Pq Qq        psadbw       -
NP 0F F8 /r      Pq Qq        psubb        -
NP 0F F9 /r      Pq Qq        psubw        -
NP 0F FA /r      Pq Qq        psubd        -
NP 0F FB /r      Pq Qq        psubq        -
NP 0F FC /r      Pq Qq        paddb        -
NP 0F FD /r      Pq Qq        paddw        -
NP 0F FE /r      Pq Qq        paddd        -
NP 0F E7 /r mem  Mq Pq        movntq       -
NP 0F F7 /r reg  Pq Nq        maskmovq     -
`;
