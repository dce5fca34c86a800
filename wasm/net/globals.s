# The resolver's state, once somebody has used it: see resolver.h.
	.globaltype	stackful_resolver, i32
	.globl	stackful_resolver
stackful_resolver:
