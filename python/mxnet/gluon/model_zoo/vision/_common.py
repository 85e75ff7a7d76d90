"""What the networks of the zoo share."""
from .. import model_store


def load_pretrained(net, name, pretrained, ctx, root):
    """`net`, with the weights of the model called `name` when `pretrained`."""
    if pretrained:
        net.load_parameters(model_store.get_model_file(name, root=root), ctx=ctx)
    return net
