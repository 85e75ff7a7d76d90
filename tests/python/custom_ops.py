"""Operators written in Python, for tests."""
import mxnet as mx


def define(name, forward, backward=None, **prop):
    """Registers an operator made of functions; names in `prop` replace methods of the CustomOpProp."""
    class Op(mx.operator.CustomOp):
        def forward(self, is_train, req, in_data, out_data, aux):
            forward(self, is_train, req, in_data, out_data, aux)

        def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
            backward(self, req, out_grad, in_data, out_data, in_grad, aux)

    def create_operator(self, ctx, in_shapes, in_dtypes):
        return Op()

    body = {"create_operator": create_operator, **prop}
    return mx.operator.register(name)(type("Prop", (mx.operator.CustomOpProp,), body))
