/** System, port and processor control instructions, fences, hints. Source: SDM vol. 2. */
export const SYSTEM = `
F4               -            hlt        -
FA               -            cli        -
FB               -            sti        -
E4               AL Ib        in         -
E5               eAX Ib       in         -
EC               AL DX        in         -
ED               eAX DX       in         -
E6               Ib AL        out        -
E7               Ib eAX       out        -
EE               DX AL        out        -
EF               DX eAX       out        -
9B               -            fwait      -
0F 05            -            syscall    -
0F 07            -            sysret     -
0F 34            -            sysenter   -
0F 35            -            sysexit    -
0F 06            -            clts       -
0F 08            -            invd       -
0F 09            -            wbinvd     -
F3 0F 09         -            wbnoinvd   -
0F 0D /r mem     Mb           prefetchw  -
0F 18 /r mem     Mb           prefetch   -
F3 0F 1E FA      -            endbr64    -
F3 0F 1E FB      -            endbr32    -
0F 19 /r         Ev           nop        -
0F 1A /r         Ev           nop        -
0F 1B /r         Ev           nop        -
0F 1C /r         Ev           nop        -
0F 1D /r         Ev           nop        -
0F 1E /r         Ev           nop        -
0F 1F /r         Ev           nop        -
0F 18 /r reg     Ev           nop        -
0F 0D /r reg     Ev           nop        -
0F 20 /r         Rq Cq        mov_from_cr -
0F 22 /r         Cq Rq        mov_to_cr  -
0F 21 /r         Rq Dq        mov_from_dr -
0F 23 /r         Dq Rq        mov_to_dr  -
0F 30            -            wrmsr      -
0F 31            -            rdtsc      -
0F 32            -            rdmsr      -
0F 33            -            rdpmc      -
0F A2            -            cpuid      -
0F AA            -            rsm        -
0F 00 /0         Ew           sldt       -
0F 00 /1         Ew           str        -
0F 00 /2         Ew           lldt       -
0F 00 /3         Ew           ltr        -
0F 00 /4         Ew           verr       w=z
0F 00 /5         Ew           verw       w=z
0F 01 /0 mem     M            sgdt       -
0F 01 /1 mem     M            sidt       -
0F 01 /2 mem     M            lgdt       -
0F 01 /3 mem     M            lidt       -
0F 01 /4         Ew           smsw       -
0F 01 /6         Ew           lmsw       -
0F 01 /7 mem     Mb           invlpg     -
0F 01 C1         -            vmcall     -
0F 01 C2         -            vmlaunch   -
0F 01 C3         -            vmresume   -
0F 01 C4         -            vmxoff     -
0F 01 C8         -            monitor    -
0F 01 C9         -            mwait      -
0F 01 CA         -            clac       -
0F 01 CB         -            stac       -
0F 01 D0         -            xgetbv     -
0F 01 D1         -            xsetbv     -
0F 01 D8         -            vmrun      -
0F 01 D9         -            vmmcall    -
0F 01 DA         -            vmload     -
0F 01 DB         -            vmsave     -
0F 01 DC         -            stgi       -
0F 01 DD         -            clgi       -
0F 01 DF         -            invlpga    -
0F 01 EE         -            rdpkru     -
0F 01 EF         -            wrpkru     -
0F 01 F8         -            swapgs     -
0F 01 F9         -            rdtscp     -
0F 02 /r         Gv Ew        lar        w=z
0F 03 /r         Gv Ew        lsl        w=z
0F AE /0 mem     M            fxsave     -
0F AE /1 mem     M            fxrstor    -
0F AE /2 mem     Md           ldmxcsr    -
0F AE /3 mem     Md           stmxcsr    -
0F AE /4 mem     M            xsave      -
0F AE /5 mem     M            xrstor     -
66 0F AE /6 mem  Mb           clwb       -
0F AE /6 mem     M            xsaveopt   -
66 0F AE /7 mem  Mb           clflushopt -
0F AE /7 mem     Mb           clflush    -
NP 0F AE /5 reg  -            lfence     -
NP 0F AE /6 reg  -            mfence     -
NP 0F AE /7 reg  -            sfence     -
F3 0F AE /0 reg  Ry           rdfsbase   -
F3 0F AE /1 reg  Ry           rdgsbase   -
F3 0F AE /2 reg  Ry           wrfsbase   -
F3 0F AE /3 reg  Ry           wrgsbase   -
0F C7 /3 mem     M            xrstors    -
0F C7 /4 mem     M            xsavec     -
0F C7 /5 mem     M            xsaves     -
F3 0F C7 /7 reg  Rq           rdpid      -
0F C7 /6 reg     Rv           rdrand     w=oszapc
0F C7 /7 reg     Rv           rdseed     w=oszapc
66 0F38 82 /r mem Gq M         invpcid    -
`;
