/** Shifts, rotates, single bits, bit scans, byte order and flag instructions. Source: SDM vol. 2. */
export const BITS = `
C0 /0            Eb Ib        rol        w=oc
C0 /1            Eb Ib        ror        w=oc
C0 /2            Eb Ib        rcl        r=c,w=oc
C0 /3            Eb Ib        rcr        r=c,w=oc
C0 /4            Eb Ib        shl        w=oszpc,u=a
C0 /5            Eb Ib        shr        w=oszpc,u=a
C0 /6            Eb Ib        shl        w=oszpc,u=a
C0 /7            Eb Ib        sar        w=oszpc,u=a
C1 /0            Ev Ib        rol        w=oc
C1 /1            Ev Ib        ror        w=oc
C1 /2            Ev Ib        rcl        r=c,w=oc
C1 /3            Ev Ib        rcr        r=c,w=oc
C1 /4            Ev Ib        shl        w=oszpc,u=a
C1 /5            Ev Ib        shr        w=oszpc,u=a
C1 /6            Ev Ib        shl        w=oszpc,u=a
C1 /7            Ev Ib        sar        w=oszpc,u=a
D0 /0            Eb 1         rol        w=oc
D0 /1            Eb 1         ror        w=oc
D0 /2            Eb 1         rcl        r=c,w=oc
D0 /3            Eb 1         rcr        r=c,w=oc
D0 /4            Eb 1         shl        w=oszpc,u=a
D0 /5            Eb 1         shr        w=oszpc,u=a
D0 /6            Eb 1         shl        w=oszpc,u=a
D0 /7            Eb 1         sar        w=oszpc,u=a
D1 /0            Ev 1         rol        w=oc
D1 /1            Ev 1         ror        w=oc
D1 /2            Ev 1         rcl        r=c,w=oc
D1 /3            Ev 1         rcr        r=c,w=oc
D1 /4            Ev 1         shl        w=oszpc,u=a
D1 /5            Ev 1         shr        w=oszpc,u=a
D1 /6            Ev 1         shl        w=oszpc,u=a
D1 /7            Ev 1         sar        w=oszpc,u=a
D2 /0            Eb CL        rol        w=oc
D2 /1            Eb CL        ror        w=oc
D2 /2            Eb CL        rcl        r=c,w=oc
D2 /3            Eb CL        rcr        r=c,w=oc
D2 /4            Eb CL        shl        w=oszpc,u=a
D2 /5            Eb CL        shr        w=oszpc,u=a
D2 /6            Eb CL        shl        w=oszpc,u=a
D2 /7            Eb CL        sar        w=oszpc,u=a
D3 /0            Ev CL        rol        w=oc
D3 /1            Ev CL        ror        w=oc
D3 /2            Ev CL        rcl        r=c,w=oc
D3 /3            Ev CL        rcr        r=c,w=oc
D3 /4            Ev CL        shl        w=oszpc,u=a
D3 /5            Ev CL        shr        w=oszpc,u=a
D3 /6            Ev CL        shl        w=oszpc,u=a
D3 /7            Ev CL        sar        w=oszpc,u=a
0F A4 /r         Ev Gv Ib     shld       w=oszpc,u=a
0F A5 /r         Ev Gv CL     shld       w=oszpc,u=a
0F AC /r         Ev Gv Ib     shrd       w=oszpc,u=a
0F AD /r         Ev Gv CL     shrd       w=oszpc,u=a
0F A3 /r         Ev Gv        bt         w=c,u=osap
0F BA /4         Ev Ib        bt         w=c,u=osap
0F AB /r         Ev Gv        bts        w=c,u=osap       lock
0F BA /5         Ev Ib        bts        w=c,u=osap       lock
0F B3 /r         Ev Gv        btr        w=c,u=osap       lock
0F BA /6         Ev Ib        btr        w=c,u=osap       lock
0F BB /r         Ev Gv        btc        w=c,u=osap       lock
0F BA /7         Ev Ib        btc        w=c,u=osap       lock
F3 0F BC /r      Gv Ev        tzcnt      w=zc,u=osap
0F BC /r         Gv Ev        bsf        w=z,u=osapc
F3 0F BD /r      Gv Ev        lzcnt      w=zc,u=osap
0F BD /r         Gv Ev        bsr        w=z,u=osapc
F3 0F B8 /r      Gv Ev        popcnt     w=oszapc
0F C8+r          Zy           bswap      -
0F38 F0 /r mem   Gv Mv        movbe      -
0F38 F1 /r mem   Mv Gv        movbe      -
F2 0F38 F0 /r    Gy Eb        crc32      -
F2 0F38 F1 /r    Gy Ev        crc32      -
F8               -            clc        w=c
F9               -            stc        w=c
F5               -            cmc        r=c,w=c
FC               -            cld        -
FD               -            std        -
9E               -            sahf       w=szapc
9F               -            lahf       r=szapc
`;
