/* The one function of pgrx-cshim.c that a build without PostgreSQL's headers needs, as it is there: Rust
 * cannot call what returns twice. */
#include <setjmp.h>

int call_closure_with_sigsetjmp(int savemask, void *closure_env_ptr, int (*closure_code)(sigjmp_buf jbuf, void *env_ptr)) {
    sigjmp_buf jbuf;
    int val;
    if (0 == (val = sigsetjmp(jbuf, savemask))) {
        return closure_code(jbuf, closure_env_ptr);
    } else {
        return val;
    }
}
