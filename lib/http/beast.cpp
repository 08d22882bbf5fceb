// Holds Beast's non-template code, so that no other file compiles it again.
#include <boost/beast/src.hpp>
