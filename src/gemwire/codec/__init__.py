"""JSON ↔ Structs. Nothing in here knows a model: what a type is, it reads off the type itself.

`decode` reads in one pass what is to spec; `lenient`, the second pass, reads what that refuses, by
the `schema` of the type; `encode` writes back whatever either has read. `structs` is what every
model stands on, `json` is JSON that no schema describes, `unknown` finds what no schema knows.
"""
