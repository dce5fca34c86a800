# The core's only state outside linear memory. Wasm globals, because the core has no static data:
# that is what lets it be merged into any guest. C cannot define them (clang's address space 1
# crashes in PIC mode), so they are defined here and reached through state.h.

	.globaltype	stackful_core, i32
	.globl	stackful_core
stackful_core:

	.globaltype	stackful_current, i32
	.globl	stackful_current
stackful_current:

	.globaltype	stackful_phase, i32
	.globl	stackful_phase
stackful_phase:

# Where the stack pointer was going when a stack check failed; 0: none did.
	.globaltype	stackful_stack_overflow_at, i32
	.globl	stackful_stack_overflow_at
	.export_name	stackful_stack_overflow_at, stackful_stack_overflow_at
stackful_stack_overflow_at:

# The C stack of whatever runs may hold addresses in [stack_limit, stack_limit + stack_span]. The
# linker checks every move of __stack_pointer against these two.
	.globaltype	stackful_stack_limit, i32
	.globl	stackful_stack_limit
	.export_name	stackful_stack_limit, stackful_stack_limit
stackful_stack_limit:

	.globaltype	stackful_stack_span, i32
	.globl	stackful_stack_span
	.export_name	stackful_stack_span, stackful_stack_span
stackful_stack_span:
