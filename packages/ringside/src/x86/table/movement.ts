/** Moves, stack, exchange, conditional moves and sets. Source: SDM vol. 2. */
export const MOVEMENT = `
88 /r            Eb Gb        mov        -
89 /r            Ev Gv        mov        -
8A /r            Gb Eb        mov        -
8B /r            Gv Ev        mov        -
B0+r             Zb Ib        mov        -
B8+r             Zv Iv        mov        -
C6 /0            Eb Ib        mov        -
C7 /0            Ev Iz        mov        -
A0               AL Ob        mov        -
A1               rAX Ov       mov        -
A2               Ob AL        mov        -
A3               Ov rAX       mov        -
8C /r            Ev Sw        mov_from_seg -
8E /r            Sw Ew        mov_to_seg -
0F B6 /r         Gv Eb        movzx      -
0F B7 /r         Gv Ew        movzx      -
0F BE /r         Gv Eb        movsx      -
0F BF /r         Gv Ew        movsx      -
63 /r            Gv Ed        movsxd     -
8D /r mem        Gv M         lea        -
86 /r            Eb Gb        xchg       -                lock
87 /r            Ev Gv        xchg       -                lock
F3 90            -            pause      -
90+r             Zv rAX       xchg       -
NP 0F C3 /r mem  My Gy        movnti     -
50+r             Zv           push       -                d64
58+r             Zv           pop        -                d64
68               Iz           push       -                d64
6A               Ibs          push       -                d64
FF /6            Ev           push       -                d64
8F /0            Ev           pop        -                d64
0F A0            -            push_fs    -                d64
0F A1            -            pop_fs     -                d64
0F A8            -            push_gs    -                d64
0F A9            -            pop_gs     -                d64
9C               -            pushf      r=oszapc         d64
9D               -            popf       w=oszapc         d64
C8               Iw Ib        enter      -                d64
C9               -            leave      -                d64
D7               -            xlat       -
0F 40 /r         Gv Ev        cmovo      r=o
0F 41 /r         Gv Ev        cmovno     r=o
0F 42 /r         Gv Ev        cmovb      r=c
0F 43 /r         Gv Ev        cmovae     r=c
0F 44 /r         Gv Ev        cmove      r=z
0F 45 /r         Gv Ev        cmovne     r=z
0F 46 /r         Gv Ev        cmovbe     r=zc
0F 47 /r         Gv Ev        cmova      r=zc
0F 48 /r         Gv Ev        cmovs      r=s
0F 49 /r         Gv Ev        cmovns     r=s
0F 4A /r         Gv Ev        cmovp      r=p
0F 4B /r         Gv Ev        cmovnp     r=p
0F 4C /r         Gv Ev        cmovl      r=so
0F 4D /r         Gv Ev        cmovge     r=so
0F 4E /r         Gv Ev        cmovle     r=szo
0F 4F /r         Gv Ev        cmovg      r=szo
0F 90 /r         Eb           seto       r=o
0F 91 /r         Eb           setno      r=o
0F 92 /r         Eb           setb       r=c
0F 93 /r         Eb           setae      r=c
0F 94 /r         Eb           sete       r=z
0F 95 /r         Eb           setne      r=z
0F 96 /r         Eb           setbe      r=zc
0F 97 /r         Eb           seta       r=zc
0F 98 /r         Eb           sets       r=s
0F 99 /r         Eb           setns      r=s
0F 9A /r         Eb           setp       r=p
0F 9B /r         Eb           setnp      r=p
0F 9C /r         Eb           setl       r=so
0F 9D /r         Eb           setge      r=so
0F 9E /r         Eb           setle      r=szo
0F 9F /r         Eb           setg       r=szo
`;
