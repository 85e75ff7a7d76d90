"""Registries: classes found again by name, as in ``mx.init.create('xavier')``."""
import json
import warnings

__all__ = ["get_alias_func", "get_create_func", "get_register_func", "get_registry"]

_REGISTRY = {}


def get_registry(base_class):
    """A copy of the classes registered under `base_class`, by lower-case name."""
    return dict(_REGISTRY.setdefault(base_class, {}))


def get_register_func(base_class, nickname):
    """A function that registers a subclass of `base_class`; `nickname` is used in messages.

    Examples
    --------
    >>> register = mx.registry.get_register_func(mx.init.Initializer, "initializer")
    >>> @register
    ... class Sevens(mx.init.Initializer):
    ...     def _init_weight(self, name, array):
    ...         array[:] = 7
    """
    registry = _REGISTRY.setdefault(base_class, {})

    def register(klass, name=None):
        if not (isinstance(klass, type) and issubclass(klass, base_class)):
            raise AssertionError(f"{nickname}: only subclasses of {base_class.__name__} can be registered, "
                                 f"got {klass!r}")
        name = (name or klass.__name__).lower()
        if name in registry and registry[name] is not klass:
            warnings.warn(f"new {nickname} {klass.__module__}.{klass.__name__} registered as '{name}' "
                          f"replaces {registry[name].__module__}.{registry[name].__name__}",
                          UserWarning, stacklevel=2)
        registry[name] = klass
        return klass

    register.__doc__ = f"Registers a {nickname} class under its name in lower case; usable as a decorator."
    return register


def get_alias_func(base_class, nickname):
    """A function for decorators such as ``@alias('nag', 'nesterov')`` that adds further names."""
    register = get_register_func(base_class, nickname)

    def alias(*aliases):
        def decorate(klass):
            for name in aliases:
                register(klass, name)
            return klass
        return decorate

    alias.__doc__ = f"Registers a {nickname} class under further names."
    return alias


def get_create_func(base_class, nickname):
    """A function that makes an instance from a name, a JSON text, a dict or an instance.

    The JSON text is ``'["name", {"argument": value}]'``, a dict holds the name under `nickname`
    and the arguments beside it; an instance is returned as it is.
    """
    registry = _REGISTRY.setdefault(base_class, {})

    def create(*args, **kwargs):
        if args:
            name, args = args[0], args[1:]
        elif nickname in kwargs:
            name = kwargs.pop(nickname)
        else:
            raise ValueError(f"create: give the name of a {nickname}, or an instance of "
                             f"{base_class.__name__}")
        if isinstance(name, base_class):
            if args or kwargs:
                raise AssertionError(f"create: {nickname} is already an instance, so it takes no further "
                                     "arguments")
            return name
        if isinstance(name, dict):
            return create(**name)
        if not isinstance(name, str):
            raise AssertionError(f"create: {nickname} must be text or an instance, got {name!r}")
        if name.startswith("["):
            if args or kwargs:
                raise AssertionError(f"create: a {nickname} given as JSON takes no further arguments")
            name, kwargs = json.loads(name)
            return create(name, **kwargs)
        if name.startswith("{"):
            if args or kwargs:
                raise AssertionError(f"create: a {nickname} given as JSON takes no further arguments")
            return create(**json.loads(name))
        klass = registry.get(name.lower())
        if klass is None:
            raise AssertionError(f"{name} is not a registered {nickname}; registered are "
                                 f"{', '.join(sorted(registry))}")
        return klass(*args, **kwargs)

    create.__doc__ = f"Makes a {nickname} from its name and arguments."
    return create
