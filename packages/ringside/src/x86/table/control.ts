/** Jumps, calls, returns, traps. Source: SDM vol. 2. */
export const CONTROL = `
70               Jb           jo         r=o              f64
71               Jb           jno        r=o              f64
72               Jb           jb         r=c              f64
73               Jb           jae        r=c              f64
74               Jb           je         r=z              f64
75               Jb           jne        r=z              f64
76               Jb           jbe        r=zc             f64
77               Jb           ja         r=zc             f64
78               Jb           js         r=s              f64
79               Jb           jns        r=s              f64
7A               Jb           jp         r=p              f64
7B               Jb           jnp        r=p              f64
7C               Jb           jl         r=so             f64
7D               Jb           jge        r=so             f64
7E               Jb           jle        r=szo            f64
7F               Jb           jg         r=szo            f64
0F 80            Jz           jo         r=o              f64
0F 81            Jz           jno        r=o              f64
0F 82            Jz           jb         r=c              f64
0F 83            Jz           jae        r=c              f64
0F 84            Jz           je         r=z              f64
0F 85            Jz           jne        r=z              f64
0F 86            Jz           jbe        r=zc             f64
0F 87            Jz           ja         r=zc             f64
0F 88            Jz           js         r=s              f64
0F 89            Jz           jns        r=s              f64
0F 8A            Jz           jp         r=p              f64
0F 8B            Jz           jnp        r=p              f64
0F 8C            Jz           jl         r=so             f64
0F 8D            Jz           jge        r=so             f64
0F 8E            Jz           jle        r=szo            f64
0F 8F            Jz           jg         r=szo            f64
E0               Jb           loopne     r=z              f64
E1               Jb           loope      r=z              f64
E2               Jb           loop       -                f64
E3               Jb           jrcxz      -                f64
E8               Jz           call       -                f64
E9               Jz           jmp        -                f64
EB               Jb           jmp        -                f64
FF /2            Eq           call       -                f64
FF /4            Eq           jmp        -                f64
FF /3 mem        M            call_far   -
FF /5 mem        M            jmp_far    -
C3               -            ret        -                f64
C2               Iw           ret        -                f64
CB               -            retf       -
CA               Iw           retf       -
CF               -            iret       -
CC               -            int3       -
CD               Ib           int        -
F1               -            int1       -
0F 0B            -            ud2        -
0F B9 /r         Gv Ev        ud1        -
0F FF /r         Gv Ev        ud0        -
`;
