/** SSE2 on integers, and `lddqu` of SSE3. Columns: see `encodings.ts`. Source: SDM vol. 2. */
export const SIMD_INTEGER = `
66 0F 60 /r      Vo Wo        punpcklbw    -
66 0F 61 /r      Vo Wo        punpcklwd    -
66 0F 62 /r      Vo Wo        punpckldq    -
66 0F 63 /r      Vo Wo        packsswb     -
66 0F 64 /r      Vo Wo        pcmpgtb      -
66 0F 65 /r      Vo Wo        pcmpgtw      -
66 0F 66 /r      Vo Wo        pcmpgtd      -
66 0F 67 /r      Vo Wo        packuswb     -
66 0F 68 /r      Vo Wo        punpckhbw    -
66 0F 69 /r      Vo Wo        punpckhwd    -
66 0F 6A /r      Vo Wo        punpckhdq    -
66 0F 6B /r      Vo Wo        packssdw     -
66 0F 6C /r      Vo Wo        punpcklqdq   -
66 0F 6D /r      Vo Wo        punpckhqdq   -
66 0F 6E /r      Vo Ey        movd         -
66 0F 6F /r      Vo Wo        movdqa       -
F3 0F 6F /r      Vo Wo        movdqu       -
66 0F 70 /r      Vo Wo Ib     pshufd       -
F3 0F 70 /r      Vo Wo Ib     pshufhw      -
F2 0F 70 /r      Vo Wo Ib     pshuflw      -
66 0F 71 /2 reg  Uo Ib        psrlw        -
66 0F 71 /4 reg  Uo Ib        psraw        -
66 0F 71 /6 reg  Uo Ib        psllw        -
66 0F 72 /2 reg  Uo Ib        psrld        -
66 0F 72 /4 reg  Uo Ib        psrad        -
66 0F 72 /6 reg  Uo Ib        pslld        -
66 0F 73 /2 reg  Uo Ib        psrlq        -
66 0F 73 /6 reg  Uo Ib        psllq        -
66 0F 73 /3 reg  Uo Ib        psrldq       -
66 0F 73 /7 reg  Uo Ib        pslldq       -
66 0F 74 /r      Vo Wo        pcmpeqb      -
66 0F 75 /r      Vo Wo        pcmpeqw      -
66 0F 76 /r      Vo Wo        pcmpeqd      -
66 0F 7E /r      Ey Vo        movd         -
F3 0F 7E /r      Vo Wq        movq         -
66 0F 7F /r      Wo Vo        movdqa       -
F3 0F 7F /r      Wo Vo        movdqu       -
66 0F C4 /r      Vo Ew Ib     pinsrw       -
66 0F C5 /r reg  Gy Uo Ib     pextrw       -
66 0F D6 /r      Wq Vo        movq         -
66 0F D7 /r reg  Gy Uo        pmovmskb     -
66 0F D1 /r      Vo Wo        psrlw        -
66 0F D2 /r      Vo Wo        psrld        -
66 0F D3 /r      Vo Wo        psrlq        -
66 0F D4 /r      Vo Wo        paddq        -
66 0F D5 /r      Vo Wo        pmullw       -
66 0F D8 /r      Vo Wo        psubusb      -
66 0F D9 /r      Vo Wo        psubusw      -
66 0F DA /r      Vo Wo        pminub       -
66 0F DB /r      Vo Wo        pand         -
66 0F DC /r      Vo Wo        paddusb      -
66 0F DD /r      Vo Wo        paddusw      -
66 0F DE /r      Vo Wo        pmaxub       -
66 0F DF /r      Vo Wo        pandn        -
66 0F E0 /r      Vo Wo        pavgb        -
66 0F E1 /r      Vo Wo        psraw        -
66 0F E2 /r      Vo Wo        psrad        -
66 0F E3 /r      Vo Wo        pavgw        -
66 0F E4 /r      Vo Wo        pmulhuw      -
66 0F E5 /r      Vo Wo        pmulhw       -
66 0F E8 /r      Vo Wo        psubsb       -
66 0F E9 /r      Vo Wo        psubsw       -
66 0F EA /r      Vo Wo        pminsw       -
66 0F EB /r      Vo Wo        por          -
66 0F EC /r      Vo Wo        paddsb       -
66 0F ED /r      Vo Wo        paddsw       -
66 0F EE /r      Vo Wo        pmaxsw       -
66 0F EF /r      Vo Wo        pxor         -
66 0F F1 /r      Vo Wo        psllw        -
66 0F F2 /r      Vo Wo        pslld        -
66 0F F3 /r      Vo Wo        psllq        -
66 0F F4 /r      Vo Wo        pmuludq      -
66 0F F5 /r      Vo Wo        pmaddwd      -
66 0F F6 /r      Vo Wo        psadbw       -
66 0F F8 /r      Vo Wo        psubb        -
66 0F F9 /r      Vo Wo        psubw        -
66 0F FA /r      Vo Wo        psubd        -
66 0F FB /r      Vo Wo        psubq        -
66 0F FC /r      Vo Wo        paddb        -
66 0F FD /r      Vo Wo        paddw        -
66 0F FE /r      Vo Wo        paddd        -
66 0F E7 /r mem  Mo Vo        movntdq      -
F2 0F F0 /r mem  Vo Mo        lddqu        -
66 0F F7 /r reg  Vo Uo        maskmovdqu   -
`;
