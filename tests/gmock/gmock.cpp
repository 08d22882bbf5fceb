// The precompiled headers need a source to go with.
