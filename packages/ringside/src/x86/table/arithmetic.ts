/** Arithmetic and logic. Columns: see `encodings.ts`. Source: SDM vol. 2. */
export const ARITHMETIC = `
00 /r            Eb Gb        add        w=oszapc         lock
01 /r            Ev Gv        add        w=oszapc         lock
02 /r            Gb Eb        add        w=oszapc
03 /r            Gv Ev        add        w=oszapc
04               AL Ib        add        w=oszapc
05               rAX Iz       add        w=oszapc
08 /r            Eb Gb        or         w=oszpc,u=a      lock
09 /r            Ev Gv        or         w=oszpc,u=a      lock
0A /r            Gb Eb        or         w=oszpc,u=a
0B /r            Gv Ev        or         w=oszpc,u=a
0C               AL Ib        or         w=oszpc,u=a
0D               rAX Iz       or         w=oszpc,u=a
10 /r            Eb Gb        adc        r=c,w=oszapc     lock
11 /r            Ev Gv        adc        r=c,w=oszapc     lock
12 /r            Gb Eb        adc        r=c,w=oszapc
13 /r            Gv Ev        adc        r=c,w=oszapc
14               AL Ib        adc        r=c,w=oszapc
15               rAX Iz       adc        r=c,w=oszapc
18 /r            Eb Gb        sbb        r=c,w=oszapc     lock
19 /r            Ev Gv        sbb        r=c,w=oszapc     lock
1A /r            Gb Eb        sbb        r=c,w=oszapc
1B /r            Gv Ev        sbb        r=c,w=oszapc
1C               AL Ib        sbb        r=c,w=oszapc
1D               rAX Iz       sbb        r=c,w=oszapc
20 /r            Eb Gb        and        w=oszpc,u=a      lock
21 /r            Ev Gv        and        w=oszpc,u=a      lock
22 /r            Gb Eb        and        w=oszpc,u=a
23 /r            Gv Ev        and        w=oszpc,u=a
24               AL Ib        and        w=oszpc,u=a
25               rAX Iz       and        w=oszpc,u=a
28 /r            Eb Gb        sub        w=oszapc         lock
29 /r            Ev Gv        sub        w=oszapc         lock
2A /r            Gb Eb        sub        w=oszapc
2B /r            Gv Ev        sub        w=oszapc
2C               AL Ib        sub        w=oszapc
2D               rAX Iz       sub        w=oszapc
30 /r            Eb Gb        xor        w=oszpc,u=a      lock
31 /r            Ev Gv        xor        w=oszpc,u=a      lock
32 /r            Gb Eb        xor        w=oszpc,u=a
33 /r            Gv Ev        xor        w=oszpc,u=a
34               AL Ib        xor        w=oszpc,u=a
35               rAX Iz       xor        w=oszpc,u=a
38 /r            Eb Gb        cmp        w=oszapc
39 /r            Ev Gv        cmp        w=oszapc
3A /r            Gb Eb        cmp        w=oszapc
3B /r            Gv Ev        cmp        w=oszapc
3C               AL Ib        cmp        w=oszapc
3D               rAX Iz       cmp        w=oszapc
80 /0            Eb Ib        add        w=oszapc         lock
80 /1            Eb Ib        or         w=oszpc,u=a      lock
80 /2            Eb Ib        adc        r=c,w=oszapc     lock
80 /3            Eb Ib        sbb        r=c,w=oszapc     lock
80 /4            Eb Ib        and        w=oszpc,u=a      lock
80 /5            Eb Ib        sub        w=oszapc         lock
80 /6            Eb Ib        xor        w=oszpc,u=a      lock
80 /7            Eb Ib        cmp        w=oszapc
81 /0            Ev Iz        add        w=oszapc         lock
81 /1            Ev Iz        or         w=oszpc,u=a      lock
81 /2            Ev Iz        adc        r=c,w=oszapc     lock
81 /3            Ev Iz        sbb        r=c,w=oszapc     lock
81 /4            Ev Iz        and        w=oszpc,u=a      lock
81 /5            Ev Iz        sub        w=oszapc         lock
81 /6            Ev Iz        xor        w=oszpc,u=a      lock
81 /7            Ev Iz        cmp        w=oszapc
83 /0            Ev Ibs       add        w=oszapc         lock
83 /1            Ev Ibs       or         w=oszpc,u=a      lock
83 /2            Ev Ibs       adc        r=c,w=oszapc     lock
83 /3            Ev Ibs       sbb        r=c,w=oszapc     lock
83 /4            Ev Ibs       and        w=oszpc,u=a      lock
83 /5            Ev Ibs       sub        w=oszapc         lock
83 /6            Ev Ibs       xor        w=oszpc,u=a      lock
83 /7            Ev Ibs       cmp        w=oszapc
84 /r            Eb Gb        test       w=oszpc,u=a
85 /r            Ev Gv        test       w=oszpc,u=a
A8               AL Ib        test       w=oszpc,u=a
A9               rAX Iz       test       w=oszpc,u=a
F6 /0            Eb Ib        test       w=oszpc,u=a
F6 /1            Eb Ib        test       w=oszpc,u=a
F6 /2            Eb           not        -                lock
F6 /3            Eb           neg        w=oszapc         lock
F6 /4            Eb           mul        w=oc,u=szap
F6 /5            Eb           imul1      w=oc,u=szap
F6 /6            Eb           div        u=oszapc
F6 /7            Eb           idiv       u=oszapc
F7 /0            Ev Iz        test       w=oszpc,u=a
F7 /1            Ev Iz        test       w=oszpc,u=a
F7 /2            Ev           not        -                lock
F7 /3            Ev           neg        w=oszapc         lock
F7 /4            Ev           mul        w=oc,u=szap
F7 /5            Ev           imul1      w=oc,u=szap
F7 /6            Ev           div        u=oszapc
F7 /7            Ev           idiv       u=oszapc
FE /0            Eb           inc        w=oszap          lock
FE /1            Eb           dec        w=oszap          lock
FF /0            Ev           inc        w=oszap          lock
FF /1            Ev           dec        w=oszap          lock
0F AF /r         Gv Ev        imul2      w=oc,u=szap
69 /r            Gv Ev Iz     imul3      w=oc,u=szap
6B /r            Gv Ev Ibs    imul3      w=oc,u=szap
0F C0 /r         Eb Gb        xadd       w=oszapc         lock
0F C1 /r         Ev Gv        xadd       w=oszapc         lock
0F B0 /r         Eb Gb        cmpxchg    w=oszapc         lock
0F B1 /r         Ev Gv        cmpxchg    w=oszapc         lock
0F C7 /1 mem W0  Mq           cmpxchg8b  w=z              lock
0F C7 /1 mem W1  Mo           cmpxchg16b w=z              lock
98               -            cbw        -
99               -            cwd        -
`;
